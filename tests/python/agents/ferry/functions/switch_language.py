from _gen import *  # <AUTO GENERATED>


@func_description("Goes on in another language.")
@func_parameter("code", "The language's code")
def switch_language(conv: Conversation, code: str):
    conv.set_language(code)
    conv.randomize_voice([VoiceWeighting(CustomVoice("someone", "voice-1"), weight=0.5), VoiceWeighting(VOICE)])


VOICE = RimeVoice("voice-2")
